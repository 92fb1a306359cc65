emit({id: "link", kind: "set_field", field: "last_link", value: linkId});
if (shipmentId !== null) {
  emit({id: "mailing", kind: "set_field", field: "last_mailing", value: shipmentId});
}
emit({id: "time", kind: "set_field", field: "last_click", value: new Date().toISOString().slice(0, 10)});
