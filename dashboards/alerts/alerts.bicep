// Alert rules on the app's own events: shutdown runs, health checks, and the credential.
// Each query returns rows only when there is something to tell, so every rule fires on rows > 0.

@description('Resource id of the Application Insights component that the app reports to.')
param applicationInsightsId string

@description('Resource ids of the action groups to notify.')
param actionGroupIds array

param location string = resourceGroup().location

var rules = [
  {
    name: 'aml-ops-run-failed'
    displayName: 'Compute shutdown did not succeed'
    // Each tick tries again: the alert stays until one succeeds, or has nothing to do.
    description: 'A run of the compute shutdown is partial or failed. Query last_night.kql, then failures_by_reason.kql.'
    severity: 1
    query: loadTextContent('run_failed.kql')
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
  }
  {
    name: 'aml-ops-run-missing'
    displayName: 'Compute shutdown has not run'
    description: 'No tick has ended in an hour, where four are due: the app, its timer, or telemetry is down.'
    severity: 1
    query: loadTextContent('run_missing.kql')
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
  }
  {
    name: 'aml-ops-credential-expiring'
    displayName: 'Service principal credential expires soon'
    description: 'Rotate the credential and put the new one into Key Vault; the app picks it up without a restart.'
    severity: 2
    query: loadTextContent('credential_expiring.kql')
    evaluationFrequency: 'PT6H'
    windowSize: 'P1D'
  }
  {
    name: 'aml-ops-service-unhealthy'
    displayName: 'A scoring service is unhealthy'
    description: 'The verdict and its evidence are in the row. Query service_changes.kql.'
    severity: 1
    query: loadTextContent('service_unhealthy.kql')
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
  }
  {
    name: 'aml-ops-redeploy-failed'
    displayName: 'A redeploy of a scoring service failed'
    description: 'It was undone, or could not be: the row says why. Query redeploys.kql, then redeploy_steps.kql.'
    severity: 1
    query: loadTextContent('redeploy_failed.kql')
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
  }
  {
    name: 'aml-ops-healing-gave-up'
    displayName: 'A scoring service is not healed any more'
    description: 'Its budget of restarts is spent, and it is unhealthy. Query redeploys.kql.'
    severity: 1
    query: loadTextContent('healing_gave_up.kql')
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
  }
  {
    name: 'aml-ops-checks-incomplete'
    displayName: 'Health checks leave something out'
    description: 'For half an hour no round of health checks was whole; the row says what was left out. Query scoring_rounds.kql.'
    severity: 2
    query: loadTextContent('checks_incomplete.kql')
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
  }
  {
    name: 'aml-ops-checks-missing'
    displayName: 'Scoring services are not being checked'
    description: 'No round of health checks succeeded in 20 minutes: the app, its timer, its network or telemetry is down. Query scoring_rounds.kql.'
    severity: 1
    query: loadTextContent('checks_missing.kql')
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
  }
]

resource alertRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: rule.name
    location: location
    kind: 'LogAlert'
    properties: {
      displayName: rule.displayName
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [
        applicationInsightsId
      ]
      evaluationFrequency: rule.evaluationFrequency
      windowSize: rule.windowSize
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      actions: {
        actionGroups: actionGroupIds
      }
    }
  }
]
