"""HTML pages that show what a model has learned."""

from harl_tf.reports.page import Section as Section
from harl_tf.reports.page import color_map as color_map
from harl_tf.reports.page import write_page as write_page
