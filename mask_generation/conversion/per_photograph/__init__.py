"""What is done for each photograph: decoding, masks, encoding."""
