// Where everything is told, and who is told of it.
param suffix string
param location string
param tags object
param alertEmail string

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-ops-${suffix}'
  location: location
  tags: tags
  properties: {
    retentionInDays: 90
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-ops-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // The app and the host report with the connection string alone.
    DisableLocalAuth: false
  }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'ag-ops-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'aml-ops'
    enabled: true
    emailReceivers: [
      {
        name: 'on duty'
        emailAddress: alertEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

output applicationInsightsId string = insights.id
output actionGroupIds array = empty(alertEmail) ? [] : [people.id]
output connectionString string = insights.properties.ConnectionString
