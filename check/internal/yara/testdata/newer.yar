// What versions after 4.2 of libyara take as well.
rule text_unused_underscore { strings: $_a = "lorem" $b = "ipsum" condition: $b }
rule hex_not { strings: $a = { 6c 6f ~72 } $b = { 6c ~00 72 65 } $c = { 7f 45 4c 46 ~?1 } $d = { ~6? 6f 72 } condition: any of them }
rule for_of_percent { strings: $a = "lorem" $b = "GNU" condition: for 50% of them : ( # > 0 ) }
rule for_of_none { strings: $a = "lorem" $b = "GNU" condition: for none of them : ( # > 2 ) }
rule for_in_none { condition: for none i in (0..3) : ( uint8(i) == 0x6c ) }
