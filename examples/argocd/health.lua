-- Health of a DnsAlias for Argo CD: key resource.customizations.health.dnsalias.io_DnsAlias of ConfigMap argocd-cm.
-- Healthy: it is served. Degraded: it is refused, and the message says what to do. Progressing: wait, nobody need act.
-- docs/gitops.md explains it.
local passing = { Pending = true, TakenBack = true, WaitingForAge = true }
local health = { status = "Progressing", message = "Waiting for the operator" }
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "Being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then
    if condition.observedGeneration ~= obj.metadata.generation then
      return health
    end
    health.message = condition.message
    if condition.status == "True" then
      health.status = "Healthy"
    elseif condition.status == "False" and not passing[condition.reason] then
      health.status = "Degraded"
      health.message = condition.reason .. ": " .. condition.message
    end
  end
end
return health
