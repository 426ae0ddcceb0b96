"""What runs a conversion: processes of this machine, or a Beam pipeline on several."""
