module programs

go 1.23

require (
	github.com/go-sql-driver/mysql v1.9.3
	github.com/xo/dburl v0.23.8
	gopkg.in/gcfg.v1 v1.2.3
	gopkg.in/ini.v1 v1.67.0
)

require (
	filippo.io/edwards25519 v1.1.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	gopkg.in/warnings.v0 v0.1.2 // indirect
)
