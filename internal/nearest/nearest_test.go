package nearest

import "testing"

func TestUnknown(t *testing.T) {
	names := []string{"etcd", "zookeeper"}
	for name, want := range map[string]string{
		"etdc":      `unknown driver "etdc", did you mean "etcd"?; there are: etcd, zookeeper`,
		"zookeepr":  `unknown driver "zookeepr", did you mean "zookeeper"?; there are: etcd, zookeeper`,
		"something": `unknown driver "something"; there are: etcd, zookeeper`,
		"":          `unknown driver ""; there are: etcd, zookeeper`,
	} {
		if got := Unknown("driver", name, names); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestOf(t *testing.T) {
	names := []string{"etcd", "zookeeper"}
	for name, want := range map[string]string{"etcd": "etcd", "etdc": "etcd", "something": "", "": ""} {
		if got := Of(name, names); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
