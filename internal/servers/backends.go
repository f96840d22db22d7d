package servers

// Backends lists the servers that can be started.
func Backends() []Backend { return []Backend{Redis{}, Etcd{}, ZooKeeper{}, Postgres{}} }
