// What the service principal may do in a subscription that the app looks after, and no more.
//
//   az deployment sub create --location <region> --template-file infra/roles.bicep \
//     --parameters principalId=<object id of the enterprise application>
targetScope = 'subscription'

@description('Object id of the service principal: of the enterprise application, not of its registration.')
param principalId string

@description('Health checks of scoring services.')
param scoring bool = true

@description('Redeploys of scoring services; inside an AKS cluster, Kubernetes has its own say (docs/redeploys.md).')
param redeploys bool = false

@description('Reading how models begin before a redeploy: of all blobs in the subscription, so rather give the role Storage Blob Data Reader on the accounts of the workspaces (docs/redeploys.md).')
param modelFiles bool = false

@description('Scaling clusters to no node (CLUSTER_OFF_HOURS).')
param clusters bool = false

@description('Setting the native idle shutdown of instances (docs/guardrails.md).')
param idleShutdown bool = false

var wanted = concat(
  [
    { name: 'compute', actions: loadJsonContent('roles/compute.json'), dataActions: [] }
  ],
  scoring ? [{ name: 'scoring', actions: loadJsonContent('roles/scoring.json'), dataActions: [] }] : [],
  redeploys ? [{ name: 'redeploys', actions: loadJsonContent('roles/redeploys.json'), dataActions: [] }] : [],
  clusters ? [{ name: 'clusters', actions: loadJsonContent('roles/clusters.json'), dataActions: [] }] : [],
  modelFiles ? [{ name: 'model files', actions: [], dataActions: loadJsonContent('roles/model_files.json') }] : [],
  idleShutdown ? [{ name: 'idle shutdown', actions: loadJsonContent('roles/idle_shutdown.json'), dataActions: [] }] : []
)

resource roles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in wanted: {
    name: guid(subscription().id, 'aml-r-ops', role.name)
    properties: {
      type: 'CustomRole'
      // Unique in the tenant, not in the subscription alone.
      roleName: 'AML R ops: ${role.name} (${subscription().subscriptionId})'
      description: 'What aml-r-ops needs for ${role.name}.'
      assignableScopes: [subscription().id]
      permissions: [
        {
          actions: role.actions
          notActions: []
          dataActions: role.dataActions
          notDataActions: []
        }
      ]
    }
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (role, index) in wanted: {
    name: guid(subscription().id, principalId, role.name)
    properties: {
      roleDefinitionId: roles[index].id
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]
