{{/* Puts the values into the Deployment of manifests/base: changes the object that it is given, and prints nothing. */}}
{{- define "dnsalias.deployment" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- $spec := (index . 1).spec -}}
{{- $selector := include "dnsalias.selectorLabels" $root | fromYaml -}}
{{- $_ := set $spec.selector "matchLabels" $selector -}}
{{- $_ := set $spec "replicas" (int $values.replicas) -}}
{{- if eq (toString $values.settings.leader_election) "false" -}}
{{- if gt (int $values.replicas) 1 }}{{ fail "without settings.leader_election two replicas would both write: set replicas to 1" }}{{ end -}}
{{- $_ := set $spec "strategy" (dict "type" "Recreate") -}}
{{- end -}}
{{- $meta := $spec.template.metadata -}}
{{- $_ := set $meta "labels" (mergeOverwrite $meta.labels $values.podLabels $selector) -}}
{{- with $values.podAnnotations }}{{ $_ := set $meta "annotations" . }}{{ end -}}

{{- $pod := $spec.template.spec -}}
{{- $_ := set $pod "serviceAccountName" (include "dnsalias.serviceAccount" $root) -}}
{{- $context := dict -}}
{{- range $name, $value := $values.podSecurityContext -}}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $context $name $value }}{{ end -}}
{{- end -}}
{{- $_ := set $pod "securityContext" $context -}}
{{- range $field := list "imagePullSecrets" "priorityClassName" "nodeSelector" "tolerations" "affinity" -}}
{{- with index $values $field }}{{ $_ := set $pod $field . }}{{ end -}}
{{- end -}}
{{- with $values.settings.shutdown_grace_seconds -}}
{{- $_ := set $pod "terminationGracePeriodSeconds" (mulf 3 . | ceil | int) -}}
{{- end -}}

{{- $spread := list -}}
{{- range $values.topologySpreadConstraints -}}
{{- $own := hasKey . "labelSelector" | ternary dict (dict "labelSelector" (dict "matchLabels" $selector)) -}}
{{- $spread = append $spread (merge $own .) -}}
{{- end -}}
{{- $_ := unset $pod "topologySpreadConstraints" -}}
{{- with $spread }}{{ $_ := set $pod "topologySpreadConstraints" . }}{{ end -}}

{{- $container := first $pod.containers -}}
{{- $tag := coalesce $values.image.digest $values.image.tag $root.Chart.AppVersion -}}
{{- $joint := ternary "@" ":" (hasPrefix "sha256:" $tag) -}}
{{- $_ := set $container "image" (print $values.image.repository $joint $tag) -}}
{{- $_ := set $container "imagePullPolicy" $values.image.pullPolicy -}}
{{- $_ := set $container "resources" $values.resources -}}
{{- $environment := concat (default list $container.env) (include "dnsalias.environment" $root | fromYamlArray) -}}
{{- $environment = concat $environment (default list $values.extraEnv) -}}
{{- with $values.securityContext }}{{ $_ := set $container "securityContext" (mergeOverwrite $container.securityContext .) }}{{ end -}}
{{- with $environment }}{{ $_ := set $container "env" . }}{{ end -}}
{{- with $values.settings.http_port -}}
{{- range $container.ports }}{{ if eq .name "http" }}{{ $_ := set . "containerPort" $values.settings.http_port }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
