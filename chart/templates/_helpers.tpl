{{- define "dnsalias.name" -}}
{{- default .Chart.Name .Values.nameOverride -}}
{{- end -}}

{{/* The name of everything; it is the one that manifests/ has where the release is called dnsalias-operator. */}}
{{- define "dnsalias.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "dnsalias.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "dnsalias.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* By these the Service and the Deployment find the Pod: they never change during the life of a release. */}}
{{- define "dnsalias.selectorLabels" -}}
app.kubernetes.io/name: {{ include "dnsalias.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object: the user's, and the chart's own, which win. */}}
{{- define "dnsalias.labels" -}}
{{- merge (include "dnsalias.ownLabels" . | fromYaml) (default dict .Values.commonLabels) | toYaml -}}
{{- end -}}

{{- define "dnsalias.ownLabels" -}}
{{ include "dnsalias.selectorLabels" . }}
app.kubernetes.io/part-of: dnsalias
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Whose rights the operator has: the ServiceAccount of the release, or one that is there already. */}}
{{- define "dnsalias.serviceAccount" -}}
{{- $account := .Values.serviceAccount -}}
{{- if not (or $account.create $account.name) -}}
{{- fail "serviceAccount.create is false: say in serviceAccount.name which one is used" -}}
{{- end -}}
{{- default (include "dnsalias.fullname" .) $account.name -}}
{{- end -}}

{{/* A setting as the environment spells it: lists with commas, lists of objects as JSON, whole numbers never as 1e+06. */}}
{{- define "dnsalias.setting" -}}
{{- if and (kindIs "slice" .) (first . | kindIs "map") -}}
{{- toJson . -}}
{{- else if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- define "dnsalias.environment" -}}
{{- $lease := include "dnsalias.leaseName" . -}}
{{- $settings := ne $lease .Chart.Name | ternary (dict "lease_name" $lease) dict -}}
{{- range $name, $value := merge $settings .Values.settings }}
- name: DNSALIAS_{{ upper $name }}
  value: {{ include "dnsalias.setting" $value | quote }}
{{- end }}
{{- end -}}

{{/* One object of files/, given as text: with this release's name and namespace in the place of those in manifests/. */}}
{{- define "dnsalias.named" -}}
{{- $root := index . 0 -}}
{{- $text := index . 1 -}}
{{- /* The namespace first, by a mark that no name can hold: either name may have the other in it. */ -}}
{{- $text = replace "dnsalias-system" "<namespace>" $text | replace $root.Chart.Name (include "dnsalias.fullname" $root) -}}
{{- $object := replace "<namespace>" $root.Release.Namespace $text | fromYaml -}}
{{- if $object.Error }}{{ fail $object.Error }}{{ end -}}
{{- $labels := include "dnsalias.labels" $root | fromYaml -}}
{{- $_ := set $object.metadata "labels" (mergeOverwrite (default dict $object.metadata.labels) $labels) -}}
{{- if not (or (hasPrefix "Cluster" $object.kind) (hasPrefix "ValidatingAdmission" $object.kind)) -}}
{{- $_ := set $object.metadata "namespace" $root.Release.Namespace -}}
{{- end -}}
{{- /* kustomize fills in the namespace as well; it is always the operator's ServiceAccount. */ -}}
{{- range $object.subjects -}}
{{- $_ := set . "namespace" $root.Release.Namespace -}}
{{- $_ := set . "name" (include "dnsalias.serviceAccount" $root) -}}
{{- end -}}
{{- toYaml $object -}}
{{- end -}}
