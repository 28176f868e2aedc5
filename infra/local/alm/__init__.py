"""The same stack on one machine: the `alm` command. AWS is moto, the rest is what is deployed."""
