<?php
echo "served by ", $_SERVER["SCRIPT_NAME"], "\n";
