//go:build !unix

package doctor

func openFiles() Check {
	return Check{Name: "open files", State: OK, Detail: "this system has no limit to ask for"}
}
