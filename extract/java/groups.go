package java

import (
	"strings"
)

// byArtifact gives the group of artifacts whose jars have no pom.properties (built by
// Ant, Gradle, sbt or Bazel, or rebuilt by a distribution). A key that ends in "-"
// stands for all artifacts that begin with it; the longest key wins.
var byArtifact = map[string]string{
	"ant": "org.apache.ant", "ant-": "org.apache.ant", "ivy": "org.apache.ivy",
	"asm": "org.ow2.asm", "asm-": "org.ow2.asm",
	"bcprov-": "org.bouncycastle", "bcpkix-": "org.bouncycastle", "bcutil-": "org.bouncycastle", "bcmail-": "org.bouncycastle", "bctls-": "org.bouncycastle", "bcpg-": "org.bouncycastle", "bc-fips": "org.bouncycastle",
	"byte-buddy": "net.bytebuddy", "byte-buddy-": "net.bytebuddy",
	"caffeine": "com.github.ben-manes.caffeine",
	"catalina": "org.apache.tomcat", "coyote": "org.apache.tomcat", "jasper": "org.apache.tomcat",
	"cdi-api":        "javax.enterprise",
	"cglib":          "cglib",
	"commons-":       "org.apache.commons",
	"dom4j":          "org.dom4j",
	"ecj":            "org.eclipse.jdt",
	"gradle-":        "org.gradle",
	"groovy":         "org.codehaus.groovy",
	"groovy-":        "org.codehaus.groovy",
	"gson":           "com.google.code.gson",
	"guava":          "com.google.guava",
	"guice":          "com.google.inject",
	"guice-":         "com.google.inject.extensions",
	"h2":             "com.h2database",
	"hamcrest":       "org.hamcrest",
	"hamcrest-":      "org.hamcrest",
	"hibernate-core": "org.hibernate", "hibernate-entitymanager": "org.hibernate", "hibernate-envers": "org.hibernate", "hibernate-validator": "org.hibernate.validator", "hibernate-commons-annotations": "org.hibernate.common",
	"hsqldb": "org.hsqldb", "httpclient": "org.apache.httpcomponents", "httpcore": "org.apache.httpcomponents", "httpmime": "org.apache.httpcomponents", "httpclient5": "org.apache.httpcomponents.client5", "httpcore5": "org.apache.httpcomponents.core5",
	"jackson-core": "com.fasterxml.jackson.core", "jackson-databind": "com.fasterxml.jackson.core", "jackson-annotations": "com.fasterxml.jackson.core", "jackson-dataformat-": "com.fasterxml.jackson.dataformat", "jackson-datatype-": "com.fasterxml.jackson.datatype", "jackson-module-": "com.fasterxml.jackson.module", "jackson-core-asl": "org.codehaus.jackson", "jackson-mapper-asl": "org.codehaus.jackson",
	"javassist": "org.javassist", "javax.inject": "javax.inject", "javax.servlet-api": "javax.servlet", "jaxen": "jaxen", "jboss-logging": "org.jboss.logging", "jdom": "org.jdom", "jdom2": "org.jdom", "jedis": "redis.clients",
	"jetty-": "org.eclipse.jetty", "jna": "net.java.dev.jna", "jna-platform": "net.java.dev.jna", "joda-time": "joda-time", "json": "org.json", "json-smart": "net.minidev", "jsch": "com.jcraft", "jsoup": "org.jsoup", "jsr305": "com.google.code.findbugs",
	"junit": "junit", "junit-jupiter-": "org.junit.jupiter", "junit-platform-": "org.junit.platform", "jython": "org.python", "jython-standalone": "org.python",
	"kafka-clients": "org.apache.kafka", "kafka-streams": "org.apache.kafka", "kafka_": "org.apache.kafka", "kotlin-": "org.jetbrains.kotlin", "kotlinx-": "org.jetbrains.kotlinx", "annotations": "org.jetbrains",
	"log4j": "log4j", "log4j-": "org.apache.logging.log4j", "logback-": "ch.qos.logback", "lucene-": "org.apache.lucene", "solr-": "org.apache.solr",
	"mariadb-java-client": "org.mariadb.jdbc", "mongodb-driver-": "org.mongodb", "mongo-java-driver": "org.mongodb", "bson": "org.mongodb", "mssql-jdbc": "com.microsoft.sqlserver", "mysql-connector-java": "mysql", "mysql-connector-j": "com.mysql",
	"netty": "io.netty", "netty-": "io.netty", "netty-tcnative-": "io.netty", "objenesis": "org.objenesis", "ognl": "ognl", "ojdbc6": "com.oracle.database.jdbc", "ojdbc8": "com.oracle.database.jdbc", "ojdbc10": "com.oracle.database.jdbc", "ojdbc11": "com.oracle.database.jdbc",
	"okhttp": "com.squareup.okhttp3", "okio": "com.squareup.okio", "okio-jvm": "com.squareup.okio", "retrofit": "com.squareup.retrofit2", "opensearch": "org.opensearch", "opensearch-": "org.opensearch", "elasticsearch": "org.elasticsearch", "elasticsearch-": "org.elasticsearch",
	"postgresql": "org.postgresql", "protobuf-java": "com.google.protobuf", "protobuf-java-util": "com.google.protobuf", "quartz": "org.quartz-scheduler", "reactor-core": "io.projectreactor", "reactor-netty": "io.projectreactor.netty", "reactor-netty-": "io.projectreactor.netty", "rxjava": "io.reactivex.rxjava3",
	"scala-library": "org.scala-lang", "scala-compiler": "org.scala-lang", "scala-reflect": "org.scala-lang", "akka-": "com.typesafe.akka", "play_": "com.typesafe.play", "shiro-": "org.apache.shiro", "slf4j-": "org.slf4j", "jcl-over-slf4j": "org.slf4j", "jul-to-slf4j": "org.slf4j", "log4j-over-slf4j": "org.slf4j", "snakeyaml": "org.yaml", "snappy-java": "org.xerial.snappy", "sqlite-jdbc": "org.xerial", "zstd-jni": "com.github.luben", "lz4-java": "org.lz4",
	"spring-aop": "org.springframework", "spring-aspects": "org.springframework", "spring-beans": "org.springframework", "spring-context": "org.springframework", "spring-context-support": "org.springframework", "spring-core": "org.springframework", "spring-expression": "org.springframework", "spring-jcl": "org.springframework", "spring-jdbc": "org.springframework", "spring-jms": "org.springframework", "spring-messaging": "org.springframework", "spring-orm": "org.springframework", "spring-oxm": "org.springframework", "spring-test": "org.springframework", "spring-tx": "org.springframework", "spring-web": "org.springframework", "spring-webflux": "org.springframework", "spring-webmvc": "org.springframework", "spring-websocket": "org.springframework",
	"spring-boot": "org.springframework.boot", "spring-boot-": "org.springframework.boot", "spring-security-": "org.springframework.security", "spring-data-": "org.springframework.data", "spring-cloud-": "org.springframework.cloud", "spring-batch-": "org.springframework.batch", "spring-integration-": "org.springframework.integration", "spring-kafka": "org.springframework.kafka", "spring-amqp": "org.springframework.amqp", "spring-rabbit": "org.springframework.amqp", "spring-session-": "org.springframework.session", "spring-ldap-": "org.springframework.ldap", "spring-hateoas": "org.springframework.hateoas", "spring-ws-": "org.springframework.ws", "spring-retry": "org.springframework.retry", "spring-plugin-": "org.springframework.plugin",
	"struts2-": "org.apache.struts", "struts-core": "org.apache.struts", "tika-": "org.apache.tika", "tomcat-": "org.apache.tomcat", "tomcat-embed-": "org.apache.tomcat.embed", "undertow-": "io.undertow", "velocity": "org.apache.velocity", "velocity-engine-": "org.apache.velocity", "vertx-": "io.vertx",
	"wildfly-": "org.wildfly", "woodstox-core": "com.fasterxml.woodstox", "xalan": "xalan", "serializer": "xalan", "xercesimpl": "xerces", "xml-apis": "xml-apis", "xmlsec": "org.apache.santuario", "xstream": "com.thoughtworks.xstream", "zookeeper": "org.apache.zookeeper", "poi": "org.apache.poi", "poi-": "org.apache.poi", "pdfbox": "org.apache.pdfbox", "batik-": "org.apache.xmlgraphics", "fop": "org.apache.xmlgraphics", "itextpdf": "com.itextpdf", "lombok": "org.projectlombok", "error_prone_annotations": "com.google.errorprone", "checker-qual": "org.checkerframework", "aspectjweaver": "org.aspectj", "aspectjrt": "org.aspectj", "hikaricp": "com.zaxxer", "jjwt": "io.jsonwebtoken", "jjwt-": "io.jsonwebtoken", "nimbus-jose-jwt": "com.nimbusds", "micrometer-": "io.micrometer", "grpc-": "io.grpc", "plexus-": "org.codehaus.plexus", "maven-resolver-": "org.apache.maven.resolver", "wagon-": "org.apache.maven.wagon", "rhino": "org.mozilla", "jruby-": "org.jruby", "clojure": "org.clojure", "graal-sdk": "org.graalvm.sdk", "fastjson": "com.alibaba", "druid": "com.alibaba", "nacos-": "com.alibaba.nacos", "dubbo": "org.apache.dubbo", "hadoop-": "org.apache.hadoop", "spark-": "org.apache.spark", "flink-": "org.apache.flink", "hive-": "org.apache.hive", "hbase-": "org.apache.hbase", "activemq-": "org.apache.activemq", "camel-": "org.apache.camel", "cxf-": "org.apache.cxf", "jenkins-core": "org.jenkins-ci.main", "cli": "org.jenkins-ci.main", "remoting": "org.jenkins-ci.main",
	// The first Commons projects named their group after themselves.
	"commons-beanutils": "commons-beanutils", "commons-cli": "commons-cli", "commons-codec": "commons-codec", "commons-collections": "commons-collections", "commons-configuration": "commons-configuration", "commons-daemon": "commons-daemon", "commons-dbcp": "commons-dbcp", "commons-dbutils": "commons-dbutils", "commons-digester": "commons-digester", "commons-discovery": "commons-discovery", "commons-el": "commons-el", "commons-fileupload": "commons-fileupload", "commons-httpclient": "commons-httpclient", "commons-io": "commons-io", "commons-jelly": "commons-jelly", "commons-jexl": "commons-jexl", "commons-jxpath": "commons-jxpath", "commons-lang": "commons-lang", "commons-logging": "commons-logging", "commons-logging-": "commons-logging", "commons-net": "commons-net", "commons-pool": "commons-pool", "commons-validator": "commons-validator", "commons-compiler": "org.codehaus.janino",
}

// groupOf finds the group of an artifact: by the table, a vendor id that is a group, the
// bundle's symbolic name or the module's name; "" when none tells.
func groupOf(artifact string, m manifest) string {
	if m["short-name"] != "" && word(m["group-id"]) != "" {
		return m["group-id"]
	}
	if g := lookUp(strings.ToLower(artifact)); g != "" {
		return g
	}
	for _, name := range []string{m.symbolicName(), m["automatic-module-name"]} {
		if g := groupOfName(name, artifact); g != "" {
			return g
		}
	}
	if v := m["implementation-vendor-id"]; word(v) != "" && strings.Contains(v, ".") {
		return v
	}
	return ""
}

// lookUp gives the longest key's group.
func lookUp(artifact string) string {
	if g, ok := byArtifact[artifact]; ok {
		return g
	}
	for i := len(artifact) - 1; i > 0; i-- {
		if artifact[i] == '-' || artifact[i] == '_' {
			if g, ok := byArtifact[artifact[:i+1]]; ok {
				return g
			}
		}
	}
	return ""
}

// groupOfName reads the group from a bundle's or module's dotted name. Maven's bundle
// plugin makes it of group and artifact, and leaves out of the artifact what already
// ends the group: org.fusesource.jansi is org.fusesource.jansi:jansi, and
// org.codehaus.plexus.classworlds is org.codehaus.plexus:plexus-classworlds.
func groupOfName(name, artifact string) string {
	if word(name) == "" || !strings.Contains(name, ".") {
		return ""
	}
	first, rest, _ := strings.Cut(artifact, "-")
	if name == artifact {
		return name[:strings.LastIndexByte(name, '.')]
	}
	if rest == "" {
		return name
	}
	if g, ok := strings.CutSuffix(name, "."+artifact); ok {
		return g
	}
	for _, end := range []string{rest, strings.ReplaceAll(rest, "-", ".")} {
		if g, ok := strings.CutSuffix(name, "."+end); ok && strings.HasSuffix(g, "."+first) {
			return g
		}
	}
	return name
}
