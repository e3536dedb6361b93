{{/*
With `settings.namespace` the operator reads and writes one namespace, and has rights there alone: the ClusterRole of
manifests/base becomes a Role in that namespace. Changes the object that it is given, and prints nothing.
*/}}
{{- define "dnsalias.namespaced" -}}
{{- $root := index . 0 -}}
{{- $object := index . 1 -}}
{{- $namespace := $root.Values.settings.namespace -}}
{{- if has $object.kind (list "ClusterRole" "ClusterRoleBinding") -}}
{{- $_ := set $object "kind" (trimPrefix "Cluster" $object.kind) -}}
{{- $_ := set $object.metadata "namespace" $namespace -}}
{{- /* Not to be taken for a Role that the release has in its own namespace, which may be the same one. */ -}}
{{- $_ := set $object.metadata "name" (print $object.metadata.name "-aliases") -}}
{{- end -}}
{{- if eq $object.kind "Role" -}}
{{- $rules := list -}}
{{- range $rule := $object.rules -}}
{{- /* No Role can grant what belongs to no namespace, and with one namespace the operator does not ask for it. */ -}}
{{- $resources := without $rule.resources "namespaces" -}}
{{- with $resources }}{{ $rules = append $rules (mergeOverwrite $rule (dict "resources" .)) }}{{ end -}}
{{- end -}}
{{- $_ := set $object "rules" $rules -}}
{{- end -}}
{{- with $object.roleRef -}}
{{- if eq .kind "ClusterRole" }}{{ $_ := set . "kind" "Role" }}{{ $_ := set . "name" (print .name "-aliases") }}{{ end -}}
{{- end -}}
{{- end -}}
