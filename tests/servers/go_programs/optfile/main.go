// optfile gcfg|ini FILE: reads an option file as programs in Go do: with gcfg like gh-ost and orchestrator, with ini
// like mysqld_exporter. Prints host, port, user and password of [client], one a line.
package main

import (
	"fmt"
	"os"

	"gopkg.in/gcfg.v1"
	"gopkg.in/ini.v1"
)

func byGcfg(file string) ([]string, error) {
	var config struct {
		Client struct{ Host, Port, User, Password string }
	}
	err := gcfg.FatalOnly(gcfg.ReadFileInto(&config, file))
	c := config.Client
	return []string{c.Host, c.Port, c.User, c.Password}, err
}

func byIni(file string) ([]string, error) {
	config, err := ini.LoadSources(ini.LoadOptions{AllowBooleanKeys: true}, file)
	if err != nil {
		return nil, err
	}
	var values []string
	for _, name := range []string{"host", "port", "user", "password"} {
		values = append(values, config.Section("client").Key(name).String())
	}
	return values, nil
}

func main() {
	read := map[string]func(string) ([]string, error){"gcfg": byGcfg, "ini": byIni}[os.Args[1]]
	values, err := read(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, value := range values {
		fmt.Println(value)
	}
}
