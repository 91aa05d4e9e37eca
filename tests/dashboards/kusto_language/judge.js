// node judge.js PACKAGE QUERY...: what Microsoft's language service for Kusto finds in each file, as JSON.
//
// It knows the tables of Application Insights as queries see them (the classic names and columns):
// https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const ON_EVERY_TABLE =
  "timestamp:datetime, itemType:string, itemId:string, customDimensions:dynamic, " +
  "customMeasurements:dynamic, operation_Name:string, operation_Id:string, " +
  "operation_ParentId:string, operation_SyntheticSource:string, session_Id:string, " +
  "user_Id:string, user_AuthenticatedId:string, user_AccountId:string, " +
  "application_Version:string, client_Type:string, client_Model:string, client_OS:string, " +
  "client_IP:string, client_City:string, client_StateOrProvince:string, " +
  "client_CountryOrRegion:string, client_Browser:string, cloud_RoleName:string, " +
  "cloud_RoleInstance:string, appId:string, appName:string, iKey:string, sdkVersion:string, " +
  "_ResourceId:string";

const TABLES = {
  availabilityResults:
    "id:string, name:string, location:string, success:string, message:string, size:real, " +
    "duration:real, performanceBucket:string, itemCount:int",
  customEvents: "name:string, itemCount:int",
  customMetrics:
    "name:string, value:real, valueCount:int, valueSum:real, valueMin:real, valueMax:real, " +
    "valueStdDev:real",
  dependencies:
    "id:string, target:string, type:string, name:string, data:string, success:string, " +
    "resultCode:string, duration:real, performanceBucket:string, itemCount:int",
  requests:
    "id:string, source:string, name:string, url:string, success:string, resultCode:string, " +
    "duration:real, performanceBucket:string, itemCount:int",
};

function load(folder) {
  // Compiled from C#: scripts that make globals, not modules.
  for (const name of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
    const file = path.join(folder, name);
    vm.runInThisContext(fs.readFileSync(file, "utf8"), { filename: file });
  }
  return globalThis.Kusto.Language;
}

function findings(language, globals, file) {
  const text = fs.readFileSync(file, "utf8");
  const found = language.KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, index) => found.getItem(index)).map((each) => ({
    line: text.slice(0, each.Start).split("\n").length,
    code: each.Code,
    message: each.Message,
  }));
}

const [folder, ...files] = process.argv.slice(2);
const language = load(folder);
const tables = Object.entries(TABLES).map(([name, columns]) =>
  language.Symbols.TableSymbol.From(`(${ON_EVERY_TABLE}, ${columns})`).WithName(name),
);
const database = new language.Symbols.DatabaseSymbol.ctor("application", tables);
const globals = language.GlobalState.Default.WithDatabase(database);
const all = Object.fromEntries(files.map((file) => [file, findings(language, globals, file)]));
process.stdout.write(JSON.stringify(all));
