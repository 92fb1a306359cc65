if (click.companyId !== null) {
  emit({kind: "interest", operation: "add", interest: "pilot", scope: "company"});
} else {
  emit({kind: "request", title: `Find the company of ${custId}`, owner: "unassigned"});
}
