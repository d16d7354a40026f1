// A Vault server for tests: HashiCorp's command, in the "minimal" build (auth: token, userpass, approle, cert, jwt and oidc;
// engines: kv, database, pki, ssh, transit), to whose registry the MySQL plugin and the ldap method are added, so that no
// plugin is a process of its own.
package main

import (
	"os"
	"reflect"
	"unsafe"

	"github.com/hashicorp/vault/builtin/credential/ldap"
	"github.com/hashicorp/vault/command"
	"github.com/hashicorp/vault/helper/builtinplugins"
	"github.com/hashicorp/vault/plugins/database/mysql"
)

// register puts FACTORY under NAME into one of the registry's tables, which are private.
func register(table, name string, factory any) {
	field := reflect.ValueOf(builtinplugins.Registry).Elem().FieldByName(table)
	plugins := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
	entry := reflect.New(field.Type().Elem()).Elem()
	slot := entry.FieldByName("Factory")
	slot.Set(reflect.ValueOf(factory).Convert(slot.Type()))
	plugins.SetMapIndex(reflect.ValueOf(name), entry)
}

func main() {
	register("databasePlugins", "mysql-database-plugin", mysql.New(mysql.DefaultUserNameTemplate))
	register("credentialBackends", "ldap", ldap.Factory)
	os.Exit(command.Run(os.Args[1:]))
}
