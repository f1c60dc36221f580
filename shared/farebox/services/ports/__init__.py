"""What the services need from the world; an adapter and a fake of each carry the same file name."""
