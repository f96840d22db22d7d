// Package all lists the drivers.
package all

import (
	"slices"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/etcd"
	"github.com/lockbench/lockbench/drivers/postgresadvisory"
	"github.com/lockbench/lockbench/drivers/postgreslease"
	"github.com/lockbench/lockbench/drivers/postgresrow"
	"github.com/lockbench/lockbench/drivers/redisredlock"
	"github.com/lockbench/lockbench/drivers/redissetnx"
	"github.com/lockbench/lockbench/drivers/zookeeper"
)

// Drivers lists every lock, each followed by its variants, in the order of the tables.
func Drivers() drivers.List {
	return slices.Concat(
		redissetnx.Drivers(),
		redisredlock.Drivers(),
		etcd.Drivers(),
		zookeeper.Drivers(),
		postgresadvisory.Drivers(),
		postgresrow.Drivers(),
		postgreslease.Drivers(),
	)
}
