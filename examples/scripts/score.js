emit({kind: "add_to_field", field: "lead_score", amount: parameters.points ?? "5"});
