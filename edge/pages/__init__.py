"""The pages that people see, as pure functions that return HTML bytes, and the forms that they send back."""
