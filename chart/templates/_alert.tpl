{{/*
What depends on values in one rule of manifests/monitoring: limits that stand for a setting, the Lease, and where the
runbook is. Changes the rule that it is given, and prints nothing.
*/}}
{{- define "dnsalias.alert" -}}
{{- $root := index . 0 -}}
{{- $rule := index . 1 -}}
{{- $texts := $rule.annotations -}}
{{- $settings := $root.Values.settings -}}
{{- $cause := default "" $rule.labels.cause -}}

{{- if eq $cause "no-resync" -}}
{{- $limit := mulf 3 (default 600 $settings.resync_seconds) | int64 -}}
{{- $_ := set $rule "expr" (replace " > 1800" (printf " > %d" $limit) $rule.expr) -}}
{{- else if eq $cause "stuck" -}}
{{- $_ := set $rule "expr" (replace " > 300" (printf " > %v" (divf (default 600 $settings.stuck_seconds) 2)) $rule.expr) -}}
{{- else if eq $cause "no-leader" -}}
{{- $lease := "-n %s get lease %s " -}}
{{- $named := printf $lease $root.Release.Namespace (include "dnsalias.fullname" $root) -}}
{{- $namespace := default $root.Release.Namespace $settings.lease_namespace -}}
{{- $used := printf $lease $namespace (include "dnsalias.leaseName" $root) -}}
{{- $_ := set $texts "description" (replace $named $used $texts.description) -}}

{{- else if eq $rule.alert "DnsAliasOperatorAbsent" -}}
{{- $own := printf "{namespace=%q}" $root.Release.Namespace -}}
{{- $expr := replace "(dnsalias_build_info[" (printf "(dnsalias_build_info%s[" $own) $rule.expr -}}
{{- $_ := set $rule "expr" (replace "(dnsalias_build_info)" (printf "(dnsalias_build_info%s)" $own) $expr) -}}

{{- else if eq $rule.alert "DnsAliasWriteErrors" -}}
{{- /* Twice the longest pause, so that retries leave no gap; the delay is longer, so that it forgets a single error. */ -}}
{{- $minutes := max 10 (divf (default 300 $settings.backoff_max_seconds) 30 | ceil | int64) -}}
{{- $_ := set $rule "expr" (replace "[10m]" (printf "[%dm]" $minutes) $rule.expr) -}}
{{- $_ := set $rule "for" (mulf 1.5 $minutes | ceil | int64 | printf "%dm") -}}
{{- $within := "within %d minutes" -}}
{{- $_ := set $texts "description" (replace (printf $within 10) (printf $within $minutes) $texts.description) -}}
{{- end -}}

{{- with $root.Values.monitoring.runbookBaseUrl -}}
{{- $_ := set $texts "runbook_url" (printf "%s/%s" (trimSuffix "/" .) $texts.runbook_url) -}}
{{- end -}}
{{- end -}}
