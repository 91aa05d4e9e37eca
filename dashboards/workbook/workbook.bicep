// The workbook "AML R operations": the queries of ../queries on one page, worst things first.
//
// Source: https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-automate
@description('Resource id of the Application Insights component that the app reports to.')
param applicationInsightsId string

param location string = resourceGroup().location

var sections = [
  {
    title: 'Machines'
    queries: [
      { title: 'What the ticks of the last day did', visualization: 'table', text: loadTextContent('../queries/last_night.kql') }
      { title: 'What should be off and is not', visualization: 'table', text: loadTextContent('../queries/failures_by_reason.kql') }
      { title: 'What could not be read', visualization: 'table', text: loadTextContent('../queries/unreadable_workspaces.kql') }
      { title: 'Left alone, and why', visualization: 'table', text: loadTextContent('../queries/left_alone.kql') }
      { title: 'Saved for every hour, by run', visualization: 'timechart', text: loadTextContent('../queries/saving_per_hour.kql') }
      { title: 'Whose machines are stopped', visualization: 'table', text: loadTextContent('../queries/saving_by_owner.kql') }
      { title: 'Tags that nobody understands', visualization: 'table', text: loadTextContent('../queries/misconfigured_tags.kql') }
      { title: 'Clusters outside their hours', visualization: 'table', text: loadTextContent('../queries/clusters.kql') }
    ]
  }
  {
    title: 'Scoring services'
    queries: [
      { title: 'Availability in 7 days, lowest first', visualization: 'table', text: loadTextContent('../queries/service_availability.kql') }
      { title: 'What became of them', visualization: 'table', text: loadTextContent('../queries/service_changes.kql') }
      { title: 'How long golden answers take', visualization: 'table', text: loadTextContent('../queries/service_latency.kql') }
      { title: 'Rounds of health checks', visualization: 'table', text: loadTextContent('../queries/scoring_rounds.kql') }
      { title: 'Redeploys of the last week', visualization: 'table', text: loadTextContent('../queries/redeploys.kql') }
    ]
  }
  {
    title: 'The app itself'
    queries: [
      { title: 'The credential', visualization: 'table', text: loadTextContent('../queries/credential_expiry.kql') }
      { title: 'Requests to Azure Resource Manager', visualization: 'timechart', text: loadTextContent('../queries/throttles.kql') }
      { title: 'Runs whose history was lost', visualization: 'table', text: loadTextContent('../queries/lost_history.kql') }
    ]
  }
]

var items = flatten(map(sections, section => concat(
  [
    {
      type: 1
      name: section.title
      content: {
        json: '## ${section.title}'
      }
    }
  ],
  map(section.queries, query => {
    type: 3
    name: query.title
    content: {
      version: 'KqlItem/1.0'
      query: query.text
      size: 0
      title: query.title
      noDataMessage: 'Nothing to tell.'
      queryType: 0
      resourceType: 'microsoft.insights/components'
      visualization: query.visualization
    }
  })
)))

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // A workbook's name is a GUID; the same one each time, so that it is replaced.
  name: guid(applicationInsightsId, 'aml-r-ops')
  location: location
  kind: 'shared'
  properties: {
    displayName: 'AML R operations'
    category: 'workbook'
    sourceId: applicationInsightsId
    serializedData: string({
      version: 'Notebook/1.0'
      items: items
      fallbackResourceIds: [applicationInsightsId]
      '$schema': 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json'
    })
  }
}
