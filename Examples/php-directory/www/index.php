<?php
// Counts each visitor's calls in the session.
session_start();
$_SESSION["count"] = ($_SESSION["count"] ?? 0) + 1;
header("Content-Type: application/json");
echo json_encode(["pid" => getmypid(), "count" => $_SESSION["count"]]);
