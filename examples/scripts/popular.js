if (linkHits >= 100) emit({kind: "interest", operation: "add", interest: "popular"});
