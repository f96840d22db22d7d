package report

// Printable makes one line of s that cannot steer a terminal: valid UTF-8 without control and format characters.
func Printable(s string) string { return printable(s) }
