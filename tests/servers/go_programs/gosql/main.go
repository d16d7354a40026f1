// gosql HOST PORT DATABASE QUERY: runs one query with go-sql-driver, as an application does, with user and password
// from the environment; the variable MORE ("?tls=true") is appended to the data source name. Prints the columns,
// separated by spaces.
package main

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
)

func run(host, port, database, query string) error {
	config := mysql.NewConfig()
	config.User, config.Passwd = os.Getenv("MYSQL_USER"), os.Getenv("MYSQL_PWD")
	config.Net, config.Addr, config.DBName = "tcp", host+":"+port, database
	db, err := sql.Open("mysql", config.FormatDSN()+os.Getenv("MORE"))
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]sql.NullString, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		texts := make([]string, len(names))
		for i, value := range values {
			texts[i] = value.String
		}
		fmt.Println(strings.Join(texts, " "))
	}
	return rows.Err()
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
