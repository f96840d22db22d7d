package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// mutant is a file with one change.
type mutant struct {
	file        string
	line        string // that is changed, without white space around it
	old, change string
	nth         int // of the same changes of such lines in the file
	text        []byte
}

// String names the mutant. It says nothing of line numbers, which change all the time.
func (m *mutant) String() string {
	text := fmt.Sprintf("%s: %s: %q becomes %q", filepath.Base(m.file), m.line, m.old, m.change)
	if m.nth > 0 {
		text += fmt.Sprintf(" (%d)", m.nth+1)
	}
	return text
}

// operators are what an operator becomes.
var operators = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LAND: token.LOR, token.LOR: token.LAND, token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO,
}

// find finds the mutants of the package in a directory.
func find(dir string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		some, err := mutantsOf(path, text)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has nothing to change", dir)
	}
	return all, nil
}

// mutantsOf changes operators, negates conditions, and takes out statements.
func mutantsOf(path string, text []byte) ([]mutant, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var all []mutant
	seen := map[string]int{}
	at := func(p token.Pos) int { return files.Position(p).Offset }
	add := func(from, to token.Pos, change string) {
		i, j := at(from), at(to)
		begin, end := bytes.LastIndexByte(text[:i], '\n')+1, bytes.IndexByte(text[i:], '\n')+i
		m := mutant{file: path, line: strings.TrimSpace(string(text[begin:end])), old: string(text[i:j]), change: change}
		if strings.Contains(m.old, "\n") {
			m.old, _, _ = strings.Cut(m.old, "\n")
		}
		name := m.String()
		m.nth = seen[name]
		seen[name]++
		m.text = append(append(append(m.text, text[:i]...), change...), text[j:]...)
		all = append(all, m)
	}
	condition := func(c ast.Expr) {
		if c != nil {
			add(c.Pos(), c.End(), "!("+string(text[at(c.Pos()):at(c.End())])+")")
		}
	}
	statements := func(list []ast.Stmt) {
		for _, s := range list {
			switch s := s.(type) {
			case *ast.ExprStmt, *ast.IncDecStmt:
				add(s.Pos(), s.End(), "")
			case *ast.AssignStmt:
				if s.Tok != token.DEFINE {
					add(s.Pos(), s.End(), "")
				}
			case *ast.BranchStmt:
				if s.Tok == token.CONTINUE && s.Label == nil {
					add(s.Pos(), s.End(), "")
				}
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR // types, constants and imports have nothing to change
		case *ast.BinaryExpr:
			if to, ok := operators[n.Op]; ok {
				add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to.String())
			}
		case *ast.IfStmt:
			condition(n.Cond)
		case *ast.BlockStmt:
			statements(n.List)
		case *ast.CaseClause:
			statements(n.Body)
		}
		return true
	})
	return all, nil
}
