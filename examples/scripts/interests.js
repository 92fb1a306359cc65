for (const each of (parameters.interests ?? "").split(",")) {
  const interest = each.trim();
  if (interest) emit({id: interest, kind: "interest", operation: "add", interest});
}
