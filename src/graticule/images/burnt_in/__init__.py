"""What an instrument draws into the picture: info bars, letters, ultrasound marks."""
