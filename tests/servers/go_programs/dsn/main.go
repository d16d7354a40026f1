// dsn FORMAT [QUERY]: reads outputs of `broker params --format FORMAT` (go, usql), separated by NUL, from stdin. Prints
// host, port, user, password and database as the library parses them, or the first row of QUERY; a NUL ends each.
package main

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/xo/dburl"
)

func run(format, text string, query []string) error {
	dsn := strings.TrimSuffix(text, "\n")
	if format != "go" {
		u, err := dburl.Parse(dsn)
		if err != nil {
			return err
		}
		dsn = u.DSN
	}
	if len(query) > 0 {
		db, err := sql.Open("mysql", dsn)
		if err != nil {
			return err
		}
		defer db.Close()
		var row string
		if err := db.QueryRow(query[0]).Scan(&row); err != nil {
			return err
		}
		fmt.Print(row, "\x00")
		return nil
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(config.Addr)
	if err != nil {
		return err
	}
	for _, value := range []string{host, port, config.User, config.Passwd, config.DBName} {
		fmt.Print(value, "\x00")
	}
	return nil
}

func main() {
	texts, err := io.ReadAll(os.Stdin)
	for _, text := range strings.Split(string(texts), "\x00") {
		if err == nil {
			err = run(os.Args[1], text, os.Args[2:])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
