package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"

	"github.com/lockbench/lockbench/internal/licenses"
)

// billOf makes the bill of materials of a binary, from what Go has written into it, and returns the binary's version.
func billOf(binary string, at time.Time, system string) (bom []byte, version string, err error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, "", fmt.Errorf("read what was built: %w", err)
	}
	b, err := os.ReadFile(binary)
	if err != nil {
		return nil, "", err
	}
	list, err := licenses.Embedded()
	if err != nil {
		return nil, "", err
	}
	terms := map[string]string{}
	for _, m := range list.On(system).Modules {
		terms[m.Path] = m.SPDX
	}
	doc, err := bill(info, sha256.Sum256(b), at, terms)
	if err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	err = cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(doc, cyclonedx.SpecVersion1_6)
	return out.Bytes(), info.Main.Version, err
}

// bill is the bill of materials: lockbench, and everything that is linked into it.
func bill(info *debug.BuildInfo, sum [sha256.Size]byte, at time.Time, terms map[string]string) (*cyclonedx.BOM, error) {
	main := component(cyclonedx.ComponentTypeApplication, info.Main.Path, info.Main.Version, terms[info.Main.Path])
	main.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: fmt.Sprintf("%x", sum)}}
	parts := []cyclonedx.Component{component(cyclonedx.ComponentTypeLibrary, licenses.Go, info.GoVersion, terms[licenses.Go])}
	for _, m := range info.Deps {
		if m.Replace != nil {
			return nil, fmt.Errorf("%s is replaced: go install would build something else", m.Path)
		}
		if terms[m.Path] == "" {
			return nil, fmt.Errorf("the license of %s is not listed: go run ./internal/tools/licenses", m.Path)
		}
		c := component(cyclonedx.ComponentTypeLibrary, m.Path, m.Version, terms[m.Path])
		c.Properties = &[]cyclonedx.Property{{Name: "go:sum", Value: m.Sum}}
		parts = append(parts, c)
	}
	var needs []string
	for _, p := range parts {
		needs = append(needs, p.BOMRef)
	}
	var settings []cyclonedx.Property
	for _, s := range info.Settings {
		settings = append(settings, cyclonedx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	bom := cyclonedx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + uuid(sum)
	bom.Metadata = &cyclonedx.Metadata{Timestamp: at.Format(time.RFC3339), Component: &main, Properties: &settings}
	bom.Components = &parts
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: main.BOMRef, Dependencies: &needs}}
	return bom, nil
}

// uuid names the binary by its content: as random as a hash, and the same again.
func uuid(sum [sha256.Size]byte) string {
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8, of RFC 9562: made in a way of one's own
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func component(kind cyclonedx.ComponentType, path, version, spdx string) cyclonedx.Component {
	url := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cyclonedx.Component{
		BOMRef: url, Type: kind, Name: path, Version: version, PackageURL: url,
		Licenses: &cyclonedx.Licenses{{Expression: spdx}},
	}
}
