"""The temperature check shared by all contrastive losses."""


def check_temperature(temperature: float) -> None:
    """Refuses temperatures that are not positive.

    Raises:
        ValueError: If ``temperature`` is not positive.

    Example:
        >>> check_temperature(0.2)
    """
    if temperature <= 0:
        raise ValueError(f"Expected temperature > 0. Received: temperature={temperature}.")
