const {region} = parameters;
emit({kind: "request", title: `Quote wanted (${region})`, owner: parameters[region] ?? "auto"});
