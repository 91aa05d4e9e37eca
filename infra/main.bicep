// The app and what it stands on, in a resource group of its own: `azd up`.
//
// The estate it looks after is elsewhere: roles.bicep gives the service principal its rights there.
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the azd environment; the resource group is named after it.')
param environmentName string

@minLength(1)
@metadata({ azd: { type: 'location' } })
@description('A region with Flex Consumption.')
param location string

@description('Who is told by the alert rules; empty: nobody, until an action group is added.')
param alertEmail string = ''

@description('When machines may be up whose owners say nothing (docs/schedules.md).')
param defaultSchedule string = 'Mon-Sun 06:00-22:00 UTC'

@description('Path or blob URL of the file of scoring services (docs/scoring-services.md); empty: none.')
param scoringServices string = ''

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-ops-${token}'
    location: location
    tags: tags
  }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'stops${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module vault 'app/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-ops-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module monitoring 'app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    suffix: token
    location: location
    tags: tags
    alertEmail: alertEmail
  }
}

module alerts '../dashboards/alerts/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    actionGroupIds: monitoring.outputs.actionGroupIds
    location: location
  }
}

module workbook '../dashboards/workbook/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    location: location
  }
}

module app 'app/function.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-ops-${token}'
    planName: 'plan-ops-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'ops' })
    identityId: identity.outputs.id
    packages: storage.outputs.packages
    settings: {
      SHUTDOWN_SCHEDULE: '0 */15 * * * *'
      SCORING_SCHEDULE: '0 */5 * * * *'
      KEY_VAULT_URL: vault.outputs.uri
      MANAGED_IDENTITY_CLIENT_ID: identity.outputs.clientId
      DEFAULT_SCHEDULE: defaultSchedule
      SCORING_SERVICES: scoringServices
      AzureWebJobsStorage__accountName: storage.outputs.name
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.outputs.clientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
      PYTHON_ENABLE_OPENTELEMETRY: 'true'
    }
  }
}

output AZURE_FUNCTION_NAME string = app.outputs.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output AZURE_RESOURCE_GROUP string = group.name
