if (shipmentId !== null) returnUrl = `${linkUrl}?c=${encodeURIComponent(shipmentId)}`;
