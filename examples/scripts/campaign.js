const found = /^\d{4}-\d{2}-(\w+)$/.exec(shipmentId ?? "");
if (found) emit({kind: "membership", operation: "add", target: "crm_selection", target_id: found[1]});
else console.log(`no campaign in ${shipmentId}`);
