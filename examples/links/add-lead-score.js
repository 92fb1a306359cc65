// Adds to the person's lead score: the parameter "points" of the link, or 5.
emit({kind: "add_to_field", field: "lead_score", amount: parameters.points ?? "5"});
// Hits of other partitions arrive late, so compare with >=, never with ==.
if (linkHits >= 100) {
  emit({id: "popular", kind: "interest", operation: "add", interest: "popular"});
}
