package java

import "testing"

func TestSplitName(t *testing.T) {
	for _, tt := range []struct{ in, artifact, version string }{
		{"guava-31.1-jre", "guava", "31.1-jre"},
		{"log4j-1.2-api-2.17.1", "log4j-1.2-api", "2.17.1"},
		{"netty-transport-native-epoll-4.1.100.Final-linux-x86_64", "netty-transport-native-epoll", "4.1.100.Final"},
		{"kafka_2.13-3.6.1", "kafka_2.13", "3.6.1"},
		{"jboss-servlet-api_3.1_spec-1.0.0.Final", "jboss-servlet-api_3.1_spec", "1.0.0.Final"},
		{"bcprov-jdk15on-1.68", "bcprov-jdk15on", "1.68"},
		{"spring-core-5.3.0-RC1-sources", "spring-core", "5.3.0-RC1"},
		{"x-1.0-SNAPSHOT", "x", "1.0-SNAPSHOT"},
		{"jsr305-0.1~+svn49", "jsr305", "0.1~+svn49"},
		{"tomcat9-i18n-pt-BR-9.0.70", "tomcat9-i18n-pt-BR", "9.0.70"},
		{"spring3-core-3.x", "spring3-core", ""},
		{"commons-lang3", "commons-lang3", ""},
		{"org.eclipse.osgi_3.18.0.v20220516-2155", "org.eclipse.osgi", "3.18.0.v20220516-2155"},
		{"akka-actor_2.13", "akka-actor_2.13", ""},
		{"-1.0", "-1.0", ""},
		{"a-", "a-", ""},
		{"", "", ""},
	} {
		if a, v := splitName(tt.in); a != tt.artifact || v != tt.version {
			t.Errorf("splitName(%q) = %q, %q, want %q, %q", tt.in, a, v, tt.artifact, tt.version)
		}
	}
}

func TestRepository(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want identity
	}{
		{"usr/share/maven-repo/org/jsr-305/jsr305/0.1-SNAPSHOT/jsr305-0.1-SNAPSHOT.jar", identity{"org.jsr-305", "jsr305", "0.1-SNAPSHOT"}},
		{"root/.m2/repository/com/x/y/1.0/y-1.0-tests.jar", identity{"com.x", "y", "1.0"}},
		{"root/.gradle/caches/modules-2/files-2.1/com.x/y/1.0/0a1b/y-1.0.jar", identity{"com.x", "y", "1.0"}},
		{"opt/repository/y-1.0.jar", identity{}},
		{"srv/repository/com/x/y/1.0/z-1.0.jar", identity{}},
	} {
		if got, _ := repository(tt.in); got != tt.want {
			t.Errorf("repository(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
}
