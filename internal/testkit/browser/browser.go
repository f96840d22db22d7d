// Package browser finds the browser in which the tests open the page of a report. Nothing else needs one.
package browser

import (
	"errors"
	"os/exec"
)

// Find returns the path of a Chromium or Chrome on PATH, or says what to install.
func Find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium on PATH; install chromium (Debian: make setup, or apt-get install chromium)")
}
