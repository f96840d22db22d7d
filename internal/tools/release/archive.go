package main

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is one of an archive.
type file struct {
	name, path string
	data       []byte // instead of path
	mode       fs.FileMode
}

func (f file) read() ([]byte, error) {
	if f.path == "" {
		return f.data, nil
	}
	return os.ReadFile(f.path)
}

func (f file) perm() fs.FileMode { return cmp.Or(f.mode, 0o644) }

// writeTar writes the files below base. Nothing in the archive is of this machine or this moment.
func writeTar(path, base string, files []file, at time.Time) error {
	return create(path, func(w io.Writer) error {
		zipped, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		archive := tar.NewWriter(zipped)
		for _, f := range files {
			b, err := f.read()
			if err != nil {
				return err
			}
			h := &tar.Header{Name: base + "/" + f.name, Mode: int64(f.perm()), Size: int64(len(b)), ModTime: at, Format: tar.FormatUSTAR}
			if err := archive.WriteHeader(h); err != nil {
				return err
			}
			if _, err := archive.Write(b); err != nil {
				return err
			}
		}
		return errors.Join(archive.Close(), zipped.Close())
	})
}

// writeZip is writeTar for Windows.
func writeZip(path, base string, files []file, at time.Time) error {
	return create(path, func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for _, f := range files {
			b, err := f.read()
			if err != nil {
				return err
			}
			h := &zip.FileHeader{Name: base + "/" + f.name, Method: zip.Deflate, Modified: at}
			h.SetMode(f.perm())
			entry, err := archive.CreateHeader(h)
			if err != nil {
				return err
			}
			if _, err := entry.Write(b); err != nil {
				return err
			}
		}
		return archive.Close()
	})
}

func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// writeSums writes SHA256SUMS, as sha256sum -c reads it.
func writeSums(dir string, names []string) error {
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), name)
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(b.String()), 0o644)
}
