# nsq: completion for fish. nsq completion fish > ~/.config/fish/completions/nsq.fish
function __nsq_complete
  set -l words (commandline -opc) (commandline -ct)
  for candidate in ($words[1] complete -- $words[2..-1] 2> /dev/null)
    if test "$candidate" = :files
      set -l head (string match -r '^-.*?=' -- $words[-1])
      for path in (__fish_complete_path (string replace -r '^-.*?=' '' -- $words[-1]))
        echo "$head$path"
      end
    else
      echo $candidate
    end
  end
end
complete -c nsq -f -a '(__nsq_complete)'
