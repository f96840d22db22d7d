package results

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/internal/disk"
)

// Saved is a run as read back from its directory.
type Saved struct {
	Dir Dir
	Run Run
	// Verdicts is empty unless Judged.
	Verdicts Verdicts
	// Judged is false if there is no verdict.json: the run ended before its histories were judged.
	Judged bool
}

// Load reads a run's directory, as far as its run came; what a run that never ended says of itself is corrected by
// what its files show. The error is one line that names the file and what is wrong with it.
func Load(path string) (Saved, error) {
	s, err := load(path)
	var bad *verdictError
	if errors.As(err, &bad) {
		return s, fmt.Errorf("%w; lockbench check %s writes it anew", err, path)
	}
	return s, err
}

// LoadToJudge is Load for who writes verdict.json anew, whatever it says now: one that cannot be read counts as none.
func LoadToJudge(path string) (Saved, error) {
	s, err := load(path)
	var bad *verdictError
	if errors.As(err, &bad) {
		err = nil
	}
	return s, err
}

// verdictError is why a verdict.json cannot be read.
type verdictError struct{ err error }

func (e *verdictError) Error() string { return e.err.Error() }
func (e *verdictError) Unwrap() error { return e.err }

func load(path string) (Saved, error) {
	s := Saved{Dir: Dir(path)}
	if st, err := os.Stat(path); err != nil {
		return s, fmt.Errorf("read a run: %w", err)
	} else if !st.IsDir() {
		return s, fmt.Errorf("%s is a file; a run is a directory such as results/<time>-<scenario>", path)
	}
	err := readJSON(s.Dir.File(RunFile), &s.Run)
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("%s is not the directory of a run: it has no %s", path, RunFile)
	}
	if err != nil {
		return s, err
	}
	if err := s.checkNames(); err != nil {
		return s, err
	}
	if err := s.checkFiles(); err != nil {
		return s, err
	}
	err = readJSON(s.Dir.File(VerdictFile), &s.Verdicts)
	switch {
	case err == nil:
		s.Judged = true
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	default:
		s.Verdicts, err = Verdicts{}, &verdictError{err}
	}
	s.asFound()
	return s, err
}

// checkNames refuses names by which a file elsewhere would be read or written.
func (s *Saved) checkNames() error {
	file := s.Dir.File(RunFile)
	for i, t := range s.Run.Tests {
		if !namesFiles(t.Name) {
			return fmt.Errorf("%s: test %d: %q is no name of a file", file, i+1, t.Name)
		}
		if t.Driver != "" && !namesFiles(t.Driver) {
			return fmt.Errorf("%s: test %d: the driver %q is no name of a file", file, i+1, t.Driver)
		}
	}
	for i, driver := range s.Run.Drivers {
		if !namesFiles(driver.Name) {
			return fmt.Errorf("%s: driver %d: %q is no name of a file", file, i+1, driver.Name)
		}
	}
	return nil
}

// checkFiles refuses a pipe or a device where a file should be, before anybody opens it: that could block for ever.
func (s *Saved) checkFiles() error {
	paths := []string{s.Dir.File(VerdictFile)}
	for _, t := range s.Run.Tests {
		paths = append(paths, s.Dir.History(t.Name))
	}
	for _, path := range paths {
		if err := disk.Regular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Runs lists the directories of the runs that a path stands for: the run there or, in a directory of runs, all of
// them, in the order of their names, which is that of their starts. The error is one line.
func Runs(path string) ([]string, error) {
	_, err := os.Stat(filepath.Join(path, RunFile))
	if err == nil {
		return []string{path}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("read a run: %w", err)
	}
	if _, err := os.ReadDir(path); err != nil {
		return []string{path}, nil // Load says what is wrong with it
	}
	dirs, err := RunsIn(path)
	if err == nil && len(dirs) == 0 {
		err = fmt.Errorf("%s is not the directory of a run: it has no %s, and no directory in it has one", path, RunFile)
	}
	return dirs, err
}

// RunsIn lists the directories of the runs in a directory, which may have none. The error is one line.
func RunsIn(path string) (dirs []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read a directory of runs: %w", err)
	}
	for _, e := range entries {
		dir := filepath.Join(path, e.Name())
		switch _, err := os.Stat(filepath.Join(dir, RunFile)); {
		case err == nil:
			dirs = append(dirs, dir)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return nil, fmt.Errorf("read a run: %w", err) // it may be one, and must not be missing from the others
		}
	}
	return dirs, nil
}

// maxFile is the size in bytes of the largest run.json or verdict.json that is read.
const maxFile = 1 << 30

// readJSON reads a file of this format or an older one into v. The format is judged before anything else, because
// another format may mean anything by the same names.
func readJSON(path string, v any) error {
	b, err := disk.Read(path, maxFile)
	if err != nil {
		return err
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return corrupt(path, b, err)
	}
	if head.Format < oldFormat || head.Format > Format {
		return fmt.Errorf("%s has format %d; this lockbench reads formats %d to %d: use the lockbench that wrote it", path, head.Format, oldFormat, Format)
	}
	err = json.Unmarshal(b, v)
	if old, ok := v.(interface{ readFormat1(b []byte) error }); ok && err == nil && head.Format == oldFormat {
		err = old.readFormat1(b)
	}
	if old, ok := v.(interface{ readFormat2(b []byte) error }); ok && err == nil && head.Format <= wordyFormat {
		err = old.readFormat2(b)
	}
	if err != nil {
		return corrupt(path, b, err)
	}
	return nil
}

// corrupt says at which line and column a file stops being what it should, and what was expected there.
func corrupt(path string, b []byte, err error) error {
	offset := int64(len(b))
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var date *time.ParseError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset, err = kind.Offset, expected(kind)
	case errors.As(err, &date), strings.HasPrefix(err.Error(), "Time."):
		return fmt.Errorf(`%s: not what lockbench wrote: a time was expected, such as "2026-03-04T05:06:07Z"`, path) // json tells no place
	}
	before := b[:max(0, min(offset-1, int64(len(b))))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("%s:%d:%d: not what lockbench wrote: %w", path, line, column, err)
}

// expected says what a value should have been, in the words of JSON and not of Go.
func expected(e *json.UnmarshalTypeError) error {
	want := "another value"
	switch e.Type.Kind() {
	case reflect.Struct, reflect.Map:
		want = "an object"
	case reflect.Slice, reflect.Array:
		want = "an array"
	case reflect.String:
		want = "a string"
	case reflect.Bool:
		want = "true or false"
	case reflect.Float32, reflect.Float64:
		want = "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		want = "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		want = "a whole number from 0 on"
	}
	if reflect.PointerTo(e.Type).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		want = "a string" // a verdict, say, which is written as its name
	}
	got, ok := map[string]string{"array": "an array", "object": "an object", "string": "a string", "bool": "true or false", "number": "a number"}[e.Value]
	if !ok {
		got = "the " + e.Value // "number 3.5"
	}
	if e.Field == "" {
		return fmt.Errorf("%s was expected, not %s", want, got)
	}
	return fmt.Errorf("%s: %s was expected, not %s", e.Field, want, got)
}
