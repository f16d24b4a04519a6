# SPDX-License-Identifier: MIT
# The recipe of the vendor's page for one agent, in a loop over all, see bench/program.lua for arguments and output.
import re, sys, time
import requests

url, tokens, agents, _, stamp = sys.argv[1:]
began = time.monotonic()
for token in open(tokens).read().split()[:int(agents)]:
    headers = {"Authorization": "Bearer " + token}
    config = requests.get(url=url, headers=headers).json()
    config["settings"]["is_active"] = False
    config["settings"]["confirmation_message"] = "A colleague takes over now (%s)." % stamp
    config["settings"]["timezone"] = "Europe/London"
    response = requests.put(url=url, headers=headers, json=config)
    assert response.status_code == 200, response.text
peak = re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read()).group(1)
print("%.3f %.3f %s" % (time.process_time(), time.monotonic() - began, peak))
