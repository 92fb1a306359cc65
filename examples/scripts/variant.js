const variant = Math.random() < 0.5 ? "a" : "b";
emit({kind: "set_field", field: "variant", value: variant});
returnUrl = `https://shop.example.com/${variant}`;
