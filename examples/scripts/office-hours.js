const now = new Date(), weekend = [0, 6].includes(now.getUTCDay());
const open = !weekend && now.getUTCHours() >= 8 && now.getUTCHours() < 17;
const text = `Call about ${linkId}`;
if (open) {
  emit({kind: "request", title: text, priority: "high", owner: "auto"});
} else {
  emit({kind: "follow_up", type: "task", description: text, created_by: "anna", default_recipient: "sales",
        next_available_time: true});
}
