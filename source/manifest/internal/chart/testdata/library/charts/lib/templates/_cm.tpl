{{- define "lib.cm" -}}
kind: ConfigMap
name: {{ .name }}
release: {{ .ctx.Release.Name }}
{{- end -}}
