{{/*
The Role of the Lease is where the Lease is, and for the one that is used: two releases never share one. It is the only
Role in manifests/base. Changes the object that it is given, and prints nothing.
*/}}
{{- define "dnsalias.lease" -}}
{{- $root := index . 0 -}}
{{- $object := index . 1 -}}
{{- if has $object.kind (list "Role" "RoleBinding") -}}
{{- with $root.Values.settings.lease_namespace }}{{ $_ := set $object.metadata "namespace" . }}{{ end -}}
{{- range $rule := $object.rules -}}
{{- if $rule.resourceNames }}{{ $_ := set $rule "resourceNames" (list (include "dnsalias.leaseName" $root)) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "dnsalias.leaseName" -}}
{{- default (include "dnsalias.fullname" .) .Values.settings.lease_name -}}
{{- end -}}
