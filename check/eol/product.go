package eol

// programs maps names of programs to products where they differ and the data does
// not tell. A Java runtime does not say who built it: Temurin's dates are those of the
// builds most images hold.
var programs = map[string]string{
	"java": "eclipse-temurin", "jre": "eclipse-temurin", "jdk": "eclipse-temurin", "openjdk": "eclipse-temurin",
	"golang": "go", "postgres": "postgresql", "httpd": "apache-http-server", "apache": "apache-http-server",
	"mongod": "mongodb", "redis-server": "redis", "mysqld": "mysql", "mariadbd": "mariadb", "dotnet-runtime": "dotnet",
}
